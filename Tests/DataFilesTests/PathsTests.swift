import DataFiles
import Testing

@Suite struct PathsTests {
  @Test(arguments: [
    ("a", "", "a", "a", ""), ("/", "/", "/", "/", ""), ("a/", "", "a", "a", ""),
    ("/a", "/", "a", "/a", ""), ("a/b", "a", "b", "a/b", ""), ("a/b//", "a", "b", "a/b", ""),
    ("x.npy", "", "x.npy", "x", "npy"), ("d.e/x.tar.gz", "d.e", "x.tar.gz", "d.e/x.tar", "gz"),
    (".hidden", "", ".hidden", ".hidden", ""), ("d.e/x", "d.e", "x", "d.e/x", ""),
    ("a//b", "a", "b", "a//b", ""), ("", "", "", "", ""),
  ])
  func parts(path: String, folder: String, name: String, stem: String, ending: String) {
    #expect(path.folderOfPath == folder)
    #expect(path.nameOfPath == name)
    #expect(path.withoutEnding == stem)
    #expect(path.endingOfPath == ending)
  }

  @Test func wordsOfACommand() {
    #expect("results/a-1.npy".inShell == "results/a-1.npy")
    #expect("my file.csv".inShell == "\"my file.csv\"")
    #expect("a\"$b`".inShell == "\"a\\\"\\$b\\`\"")
    #expect("".inShell == "\"\"")
  }
}
