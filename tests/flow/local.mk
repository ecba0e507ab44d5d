# flow tests
