print("ferry-offline")
