"""Reports of studies: pictures, a page in HTML, a text in Markdown, a table, and the best networks as files.

Reads the results of a study and changes none of them, so that a report can be made while the study runs.
May import `study`, `methods`, `analysis` and what they import; matplotlib, Jinja and Optuna at their first use.
"""
