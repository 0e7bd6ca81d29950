"""Values: what one field's text means as a time, a number or a position."""
