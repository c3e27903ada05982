// LinkMath
