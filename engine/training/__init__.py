"""Training a model pack from scratch. Everything here may use torch; the program never does."""
