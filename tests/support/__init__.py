"""Helpers that several test modules share: paths, pictures, small networks, golden data, programs that tests start."""
