"""Does anything look ahead?"""
