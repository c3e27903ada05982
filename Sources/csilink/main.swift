print("csilink")
