print("ferry-online")
