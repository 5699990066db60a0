"""Model packs from other people's models: local folders as the Hugging Face hub has them.

`foreign.py` says what has to be known of such a model, and each family's file (`clip.py`,
`siglip.py`) finds it out; `families.py` lists them. `graphs.py` exports and quantises, `packing.py`
compares with transformers and writes the pack. Run in a process of its own:
`python -m engine.training.convert FOLDER OUT`.
"""
