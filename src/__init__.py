"""TinyNet in MindSpore: networks, data, training, evaluation, export and prediction."""

import os

os.environ.setdefault("GLOG_v", "3")  # MindSpore's own log: errors only; it reads this when it is imported
