// Reports are made of bits: who knows codecs knows what carries them.
@_exported import Coding
