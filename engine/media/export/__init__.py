"""Write a corrected copy of a clip: lossless, compatible, stretched or piecewise, each measured again."""
