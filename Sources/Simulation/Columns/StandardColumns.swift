import LinkMath

extension Column {
  /// `drops`: drops of the point.
  public static let drops = Column("drops", "Drops of the point.") { .count($0.drops) }
  /// `stop_reason`: why no more drops were run: max, all of them; ci, the stop rule.
  public static let stopReason = Column(
    "stop_reason", "Why no more drops were run: max, all of them; ci, the stop rule."
  ) { .word($0.stopReason.rawValue) }
  /// `payload_bits`: bits of one report, side information included, the mean if they vary; empty if real numbers travel.
  public static let payloadBits = Column(
    "payload_bits",
    "Bits of one report, side information included, the mean if they vary; empty if real numbers travel."
  ) { fold in
    guard fold.constants.payloadVaries else { return fold.constants.payloadBits.map(Value.count) }
    return fold.mean(of: .sentBits).map { .number($0 / Double(fold.constants.reportsPerDrop)) }
  }

  /// `estimate_nmse_db`: NMSE of the UE's estimate, all tones.
  public static let estimateNMSEDB = level(
    "estimate_nmse_db", .estimateRatio, "NMSE of the UE's estimate, all tones.")
  /// `nmse_db`: NMSE of the reconstruction in the kept rows of the angular-delay domain.
  public static let nmseDB = level(
    "nmse_db", .errorRatio,
    "NMSE of the reconstruction in the kept rows of the angular-delay domain.")
  /// `nmse_effective_drops`: how many equal drops would leave the mean of the NMSE as uncertain; empty without errors.
  public static let nmseEffectiveDrops = number(
    "nmse_effective_drops",
    "How many equal drops would leave the mean of the NMSE as uncertain; empty without errors."
  ) { $0.effectiveDrops(of: .errorRatio) }
  /// `nmse_ratio_of_sums_db`: the error energy of all drops over their energy.
  public static let nmseRatioOfSumsDB = number(
    "nmse_ratio_of_sums_db", unit: "dB", "The error energy of all drops over their energy."
  ) { fold in
    fold.mean(of: .errorEnergy).flatMap { error in
      fold.mean(of: .referenceEnergy).map { decibels(error / $0) }
    }
  }
  /// `nmse_full_db`: NMSE of the reconstruction over all tones in the slots that use it; empty if the BS does not know the gain.
  public static let nmseFullDB = level(
    "nmse_full_db", .fullRatio,
    "NMSE of the reconstruction over all tones in the slots that use it; empty if the BS does not know the gain."
  )
  /// `truncation_loss_db`: share of the channel's energy outside the kept delay rows, which no codec can send; round-off if nothing is cut off.
  public static let truncationLossDB = level(
    "truncation_loss_db", .truncationRatio,
    "Share of the channel's energy outside the kept delay rows, which no codec can send; round-off if nothing is cut off."
  )

  /// `cosine_similarity`: mean over tones of |⟨h, ĥ⟩| / (‖h‖ ‖ĥ‖).
  public static let cosineSimilarity = mean(
    "cosine_similarity", .cosineSimilarity,
    "Mean over tones of |⟨h, ĥ⟩| / (‖h‖ ‖ĥ‖).")
  /// `sgcs`: mean over tones of the squared cosine similarity.
  public static let squaredCosineSimilarity = mean(
    "sgcs", .squaredCosineSimilarity, "Mean over tones of the squared cosine similarity.")

  /// `feedback_bit_error_rate`: share of the payload bits that arrive wrong; empty if no bits are sent.
  public static let feedbackBitErrorRate = number(
    "feedback_bit_error_rate",
    "Share of the payload bits that arrive wrong; empty if no bits are sent."
  ) { fold in
    fold.constants.payloadBits.flatMap { bits in
      let sent = Double(bits * fold.constants.reportsPerDrop)
      let count = fold.constants.payloadVaries ? fold.mean(of: .sentBits) ?? sent : sent
      return fold.mean(of: .bitErrors).map { $0 / count }
    }
  }
  /// `quantizer_clip_fraction`: share of the quantised values outside the quantiser's range.
  public static let quantizerClipFraction = number(
    "quantizer_clip_fraction", "Share of the quantised values outside the quantiser's range."
  ) { fold in
    let values = fold.constants.quantizedValues * fold.constants.reportsPerDrop
    return values > 0 ? fold.mean(of: .clippedValues).map { $0 / Double(values) } : nil
  }

  /// `beamforming_gain_db`: received power of the precoder over that of one port of mean power.
  public static let beamformingGainDB = level(
    "beamforming_gain_db", .beamformingGain,
    "Received power of the precoder over that of one port of mean power.")
  /// `gain_fraction`: mean over tones of |H w|² / ‖H‖².
  public static let gainFraction = mean(
    "gain_fraction", .gainFraction, "Mean over tones of |H w|² / ‖H‖².")
  /// `rate_bits_per_s_hz`: mean over tones of log2(1 + SNR |H w|²).
  public static let rate = mean(
    "rate_bits_per_s_hz", unit: "bit/s/Hz", .rate, "Mean over tones of log2(1 + SNR |H w|²).")
  /// `rate_perfect_bits_per_s_hz`: the rate with perfect CSI.
  public static let perfectRate = mean(
    "rate_perfect_bits_per_s_hz", unit: "bit/s/Hz", .perfectRate, "The rate with perfect CSI.")

  /// `zero_energy_drops`: drops without energy, left out of all means.
  public static let zeroEnergyDrops = Column(
    "zero_energy_drops", "Drops without energy, left out of all means."
  ) { .count($0.zeroEnergyDrops) }
}

extension Column.Interval {
  /// Ends of the 95 % interval of `nmse_db`.
  public static let nmse = Column.Interval("nmse_db", unit: "dB", .errorRatio) {
    decibels(max($0, 0))
  }
  /// Ends of the 95 % interval of `rate_bits_per_s_hz`.
  public static let rate = Column.Interval("rate", unit: "bit/s/Hz", .rate) { $0 }
}
