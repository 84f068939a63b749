"""A spec on markets whose future, past or inputs are other ones: does it look ahead, and on what does it stand?"""
