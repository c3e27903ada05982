import LinkMath

func stream(_ drop: Int, instance: Int = 0) -> RandomStream {
  StreamKey(seed: 2024, domain: .test, purpose: .channel, instance: instance).stream(drop: drop)
}
