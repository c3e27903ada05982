/// Every channel model a scenario can name, one line each.
public enum ChannelRegistry {
  public static let models: [any ChannelModel.Type] = [
    RayleighChannel.self,
    TDLChannel.self,
    CDLChannel.self,
    COST2100Channel.self,
    TR38901Channel.self,
    RecordedChannel.self,
  ]
}
