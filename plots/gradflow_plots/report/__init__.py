"""Reports: one HTML page of one run or several that needs nothing else: ``python -m gradflow_plots.report``.

``read_subject`` reads a folder, ``page`` writes the text; the same folders give the same bytes::

    from gradflow_plots.report import page, read_subject

    text = page([read_subject(Path("runs/0001-three-stage"))])
"""

from .page import MARK, page
from .subject import Subject, read_subject

__all__ = ["MARK", "Subject", "page", "read_subject"]
