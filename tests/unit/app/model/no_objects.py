"""Values of records that are no JSON object."""

NO_OBJECTS = (None, b"", b"\xff", b"17", b"[]", b"null")
