"""The training loop, which does not know the task: one compiled step, checkpoints, resume, schedules, optimizers, reports.

May import: everything below it (`errors`, `runtime`, `design`, `config`, `networks`, `images`, `weights`, `dataset`,
`models`).
"""
