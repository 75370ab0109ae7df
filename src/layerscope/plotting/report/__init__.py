"""The report of an experiment: one HTML file to look at without a network, and to send to somebody."""
