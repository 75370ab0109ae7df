"""Figures in a notebook: a frame in, a matplotlib figure out; no file is written.

make run                        # once: leaves a run in logs/debug
python examples/figures.py      # or cell by cell, in an editor or as a notebook
"""

# %%
import os

import layerscope as ls

run = ls.Run.open(os.environ.get("LAYERSCOPE_RUN", "logs/debug"))
cdnv = run.tables.read("CDNV")  # a pandas frame, one value per row

# %% [markdown]
# Any figure of `layerscope.figures.FIGURES` by its name, from the table that it needs.

# %%
by_layer = ls.figures.draw("CDNV", cdnv, title="what I trained")

# %% [markdown]
# From several tables: by name. With CDNV among them, the NC layer is marked.

# %%
tables = {name: run.tables.read(name) for name in ("CDNV", "NC1", "ETF", "NCC")}
summary = ls.figures.draw("Summary", tables, columns=1)  # as wide as one column of a paper

# %% [markdown]
# Any number of any table over layers and checkpoints; rows are chosen before, like those of any frame.

# %%
heat_map = ls.figures.layer_epoch(tables["NC1"], {"statistic": "pinv"}, log=True, heading="NC1")
late = ls.figures.draw("NC1", tables["NC1"][tables["NC1"]["epoch"] > 0])

# %% [markdown]
# Features and class means in the plane of the class means, checkpoint by checkpoint.

# %%
plane = ls.figures.projection(run, "fc")

# %% [markdown]
# They are matplotlib's: change and save them as you like.

# %%
by_layer.axes[0].set_ylabel("variance / distance²")
# by_layer.savefig("cdnv.pdf")
