"""Files for deployment, and the proof that they compute what the network computes."""
