"""Makes a new durable function: its folder and its tests, of the templates beside this."""
