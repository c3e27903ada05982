import Parts

/// Keys of models in which a UE moves in a direction.
enum UEMotion {
  static let travelAzimuth = Parameter<Double?>.optional(
    "travel_azimuth", .number(.angle, -360...360),
    "Azimuth of the UE's velocity in degrees; uniformly random in each drop if left out.")
}
