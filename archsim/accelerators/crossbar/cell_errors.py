"""How the cells of a chip err, and the wires between them: the device's own figures, or what the chip's file says."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from archsim.analog import Device, Drift, ReadNoise, Stuck, Variation
from archsim.analog.schema import Text
from archsim.config import Ohms, Seconds, Strict

STATED = "stated by the chip"
Resistance = Annotated[Ohms, Field(le=1e6)]
OfDevice = Literal["device", "none"]
SOURCE = Field(STATED, description="where the numbers come from")


class Wires(Strict):
    """Resistances of a crossbar's lines; currents through its cells are taken as linear in the voltage."""

    wordline: Resistance = Field(0.0, description="of a word line from cell to cell, and before the first column")
    bitline: Resistance = Field(0.0, description="of a bit line from cell to cell, and behind the last row")
    driver: Resistance = Field(0.0, description="in series with each word line, at its driver")
    sense: Resistance = Field(0.0, description="in series with each bit line, at its converter")

    @property
    def any(self) -> bool:
        """Whether there is any resistance."""
        return max(self.wordline, self.bitline, self.driver, self.sense) > 0


class StatedVariation(Variation):
    """As in a device file; a source need not be stated."""

    source: Text = SOURCE


class StatedStuck(Stuck):
    """As in a device file; a source need not be stated."""

    source: Text = SOURCE


class StatedReadNoise(ReadNoise):
    """As in a device file; a source need not be stated."""

    source: Text = SOURCE


class StatedDrift(Drift):
    """As in a device file; a source need not be stated."""

    source: Text = SOURCE


class Errors(Strict):
    """How cells err, for accuracy: as the device's file says (`device`), not at all (`none`), or as stated here."""

    age: Seconds | None = Field(
        None, description="time since programming; null: t0 of the drift, or 0 where nothing drifts"
    )
    variation: OfDevice | StatedVariation = Field("device", description="spread of programmed conductances")
    stuck: OfDevice | StatedStuck = Field("device", description="cells that programming does not move")
    read_noise: OfDevice | StatedReadNoise = Field("device", description="noise drawn at every read")
    drift: OfDevice | StatedDrift = Field("device", description="decay with time")

    def applied(self, device: Device) -> Device:
        """The device with these errors in place of its own."""
        stated = {name: getattr(self, name) for name in ("variation", "stuck", "read_noise", "drift")}
        return device.model_copy(
            update={name: None if error == "none" else error for name, error in stated.items() if error != "device"}
        )
