import Foundation
import Glibc
import RunRecords
import Testing

@Suite struct AtomicFileTests {
  @Test(arguments: ["plain.csv", "mit Leerzeichen.csv", "größe-θ′-数.csv"])
  func fileAppearsOnlyWhenItIsWhole(name: String) throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/" + name
    try AtomicFile.write("old", to: path)
    var file = try AtomicFile(path: path)
    try file.write("new ")
    try file.write([UInt8](repeating: 65, count: 1_000_000))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
    try file.write("end")
    try file.commit()
    let content = try String(contentsOfFile: path, encoding: .utf8)
    #expect(content == "new " + String(repeating: "A", count: 1_000_000) + "end")
    #expect(folder.names == [name])
  }

  @Test func abandonedFileLeavesNothing() throws {
    let folder = try ScratchFolder()
    func abandon() throws {
      var file = try AtomicFile(path: folder.path + "/a")
      try file.write("half")
      #expect(folder.names.count == 1)
    }
    try abandon()
    #expect(folder.names.isEmpty)
  }

  @Test func missingFolder() throws {
    let folder = try ScratchFolder()
    let error = failure { try AtomicFile.write("x", to: folder.path + "/none/a.csv") }
    #expect(error?.code == ENOENT)
    #expect(error?.path == folder.path + "/none/a.csv")
    let text = error?.description ?? ""
    #expect(text.contains("open failed with ENOENT (No such file or directory). What to do: Check"))
  }

  @Test func folderBelowAFile() throws {
    let folder = try ScratchFolder()
    try AtomicFile.write("x", to: folder.path + "/file")
    let error = failure { try AtomicFile.write("x", to: folder.path + "/file/a.csv") }
    #expect(error?.code == ENOTDIR)
  }

  @Test func folderAtTheDestination() throws {
    let folder = try ScratchFolder()
    mkdir(folder.path + "/a", 0o777)
    let error = failure { try AtomicFile.write("x", to: folder.path + "/a") }
    #expect(error?.code == EISDIR)
    #expect(error?.call == "rename")
    #expect(folder.names == ["a"])
  }

  @Test func folderRemovedWhileWriting() throws {
    let folder = try ScratchFolder()
    mkdir(folder.path + "/run", 0o777)
    func write() throws {
      var file = try AtomicFile(path: folder.path + "/run/a")
      try file.write("x")
      try FileManager.default.removeItem(atPath: folder.path + "/run")
      try file.commit()
    }
    let error = failure(of: write)
    #expect(error?.call == "rename")
    #expect(error?.code == ENOENT)
    #expect(folder.names.isEmpty)
  }

  @Test(.enabled(if: geteuid() != 0, "permissions do not bind root"))
  func folderThatIsNotWritable() throws {
    let folder = try ScratchFolder()
    chmod(folder.path, 0o555)
    defer { chmod(folder.path, 0o755) }
    let error = failure { try AtomicFile.write("x", to: folder.path + "/a") }
    #expect(error?.code == EACCES)
  }

  @Test func fullDeviceIsReportedByItsCall() throws {
    let file = try OpenFile(path: "/dev/full", flags: O_WRONLY)
    let error = failure {
      try [1, 2, 3].span.bytes.withUnsafeBytes { try file.write($0) }
    }
    #expect(error?.call == "write")
    #expect(error?.code == ENOSPC)
    #expect(error?.advice.contains("Free some space") == true)
  }

  @Test(.enabled(if: mayMount, "needs the right to mount"))
  func fullDiskKeepsTheOldFile() throws {
    let folder = try ScratchFolder()
    try #require(
      output(of: "mount", ["-t", "tmpfs", "-o", "size=64k", "none", folder.path]).code == 0)
    defer { _ = try? output(of: "umount", [folder.path]) }
    let path = folder.path + "/a.csv"
    try AtomicFile.write("old", to: path)
    let error = failure {
      try AtomicFile.write([UInt8](repeating: 1, count: 1 << 20), to: path)
    }
    #expect(error?.code == ENOSPC)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
    #expect(folder.names == ["a.csv"])
  }
}
