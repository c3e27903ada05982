// Written with the channels.
public struct WidebandSynthesis: Sendable {}
