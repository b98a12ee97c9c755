"""An app whose tasks take any call: what of a call is good is said by the description alone."""
