"""Networks that are there already, compared on one data set: what is measured of each, and its accuracy."""
