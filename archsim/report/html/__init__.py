"""A run, or a sweep, as one HTML file that needs nothing else."""

from archsim.report.html.writing import html_report, write_report

__all__ = ["html_report", "write_report"]
