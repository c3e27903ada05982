// Written with the pilots.
public struct PilotMatrix: Sendable {}
