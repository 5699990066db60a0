"""The window, the page in it and the console script. Everything that matches lives in engine."""
