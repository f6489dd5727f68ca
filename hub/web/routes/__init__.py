"""Routes, one file a room: read the form, call one function of the room, render. No rules."""
