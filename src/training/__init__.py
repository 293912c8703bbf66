"""The training loop, which knows no task: one compiled step, checkpoints, resume, schedules, optimizers, reports.

May import: everything below it (`errors`, `runtime`, `design`, `config`, `networks`, `images`, `weights`, `dataset`,
`models`).
"""
