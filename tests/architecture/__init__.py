"""The rules of this project's shape, as functions that say what breaks them and what to do."""
