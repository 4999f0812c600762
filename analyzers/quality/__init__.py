"""In what state inputs arrive: missing, out of range, unseen, of the wrong type, against rules."""
