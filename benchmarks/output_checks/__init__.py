"""The rules of output checking beside those of another program."""
