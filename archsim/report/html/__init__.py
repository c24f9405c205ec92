"""A run as one HTML file that needs nothing else: figures, tables, and where every price comes from."""

from archsim.report.html.writing import html_report, write_report

__all__ = ["html_report", "write_report"]
