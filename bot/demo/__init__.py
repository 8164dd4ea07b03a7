"""The world without tokens: stand-ins on the real wire, one page, one tour. Nobody below knows it."""
