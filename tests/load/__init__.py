"""A crowd at the door: does the service stay within its memory, and who has to wait for whom."""
