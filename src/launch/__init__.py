"""Start one training on many devices, show its log, and leave no process behind.

`launcher` reads the arguments, `plan` says how many workers start where, `train_command` says what they run,
`supervisor` runs MindSpore's `msrun` until all is over.

May import: `errors`, `runtime`, `cli`, `config`. Nothing here imports MindSpore: the workers do.
"""
