"""The training loop, which does not know the task: the compiled step, checkpoints, resume, schedules, optimizers, logs.

May import: everything below it (`errors`, `runtime`, `design`, `config`, `networks`, `images`, `weights`, `dataset`,
`models`).
"""
