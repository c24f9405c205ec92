"""A sweep as one HTML file: its fronts, which key moves what, every point or as many as fit."""
