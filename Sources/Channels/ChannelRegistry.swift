import Parts

/// Every channel model a scenario can name, one line each.
public enum ChannelRegistry {
  /// The models, in the order in which `csilink list` shows them.
  public static let models: [any (ChannelModel & Part).Type] = [
    RayleighChannel.self,
    TDLChannel.self,
    CDLChannel.self,
    COST2100Channel.self,
    TR38901Channel.self,
    RecordedChannel.self,
  ]
}
