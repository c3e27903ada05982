import Foundation
import Testing
import Reports
import Simulation
@Test func gallery() throws {
  let root = "/tmp/gallery"
  func save(_ n: String, _ r: RunResult) throws {
    try? FileManager.default.createDirectory(atPath: "\(root)/\(n)", withIntermediateDirectories: true)
    print(n, try ResultPlots.draw(r, inFolder: "\(root)/\(n)"))
    print(ResultTable.text(of: r))
    print(ReportCSV.text(of: r).prefix(600))
  }
  try save("few", snrSweep(axes: ["pilots.snr_db", "codec"], codecs: [["pca"], ["dft"], ["type2 'x' <&>`ls`"]]))
  try save("one", snrSweep(axes: ["pilots.snr_db"], codecs: [[]]))
  var many: [[String?]] = []
  for c in ["pca","dft","csinet","etype2"] { for b in ["1","2","4"] { many.append([c, c == "dft" ? nil : "8", b]) } }
  try save("many", snrSweep(axes: ["pilots.snr_db", "codec", "codec.compression", "quantizer.bits"], codecs: many))
  var pts: [PointSummary] = []
  for c in ["4","8","16","32","64"] { for s in ["0 ns","10 ns"] {
    let k = Double(c)!
    let r = k/100 + (s == "0 ns" ? 0.01 : 0.03)
    pts.append(point([c, "pca", s], nmse: 10*log10(r), nmseInterval: (k == 4 ? -.infinity : 10*log10(r*0.8))...10*log10(r*1.2), rate: 8-5*r, rateInterval: 8-5*r-0.1...8-5*r+0.1, perfectRate: s == "0 ns" ? 8.1 : 8.4)) } }
  pts.append(point([nil, "dft", "0 ns"], nmse: -3, nmseInterval: -3.2 ... -2.8, rate: 6, rateInterval: 5.9...6.1, perfectRate: 8.1))
  pts.append(point([nil, "dft", "10 ns"], nmse: -2, nmseInterval: -2.2 ... -1.8, rate: 5.5, rateInterval: 5.4...5.6, perfectRate: 8.4))
  try save("log", result(axes: ["codec.compression", "codec", "channel.delay_spread"], pts))
  pts = []
  for (i, c) in ["pca","dft","uncompressed", "type1"].enumerated() { for s in ["0","10","20"] {
    let r = Double(i+1)/20 + pow(10, -Double(s)!/10)
    let p = log2(1+32*pow(10, Double(s)!/10))
    pts.append(point([c, s], nmse: 10*log10(r), nmseInterval: 10*log10(r*0.9)...10*log10(r*1.1), rate: p*(1-0.3*r), rateInterval: p*(1-0.31*r)...p*(1-0.29*r), perfectRate: p)) } }
  try save("cat", result(axes: ["codec", "pilots.snr_db"], pts))
  try save("catone", result(axes: ["codec"], pts.filter { $0.coordinates[1] == "10" }.map { point([$0.coordinates[0]! + " with a long label here"], nmse: $0.nmseDB, nmseInterval: $0.nmseDBInterval, rate: $0.rate, rateInterval: $0.rateInterval, perfectRate: $0.perfectRate) }))
}
