"""The shared vocabulary: schema, validation, table files, privacy spend, manifest, protocols, errors.

Belongs here: values and pure functions that every other package speaks in. Does not belong here: anything that
learns from data, draws noise, talks to a server, or imports an ML library.
"""
