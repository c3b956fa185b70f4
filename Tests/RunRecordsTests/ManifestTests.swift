import Foundation
import RunRecords
import TestSupport
import Testing

@Suite struct ManifestTests {
  static let example = Manifest(
    programVersion: "0.1.0", experimentSHA256: Digest.sha256("x".utf8),
    seeds: ["tokens": .max, "kernels": 0], source: SourceState(commit: "abc", isDirty: true),
    libraries: ["SUNDIALS": "6.4.1"], compiler: "Swift 6.3", kernelPath: "x86-64-v3",
    machine: Machine(
      cpuModel: "A/B", cores: 2, physicalMemory: 1 << 34, availableMemory: 1 << 33,
      operatingSystem: "Debian"),
    threads: 2, start: Timestamp(Date(timeIntervalSince1970: 1_700_000_000.123)),
    end: Timestamp(Date(timeIntervalSince1970: 1_700_000_001)), status: .stopped,
    stages: [
      StageRecord(
        name: "memory", trainedGroups: ["c"], ending: "end time reached", startTime: 0,
        endTime: 1e6, statistics: ["steps": 123, "last_step": 0.1 + 0.2, "largest": .infinity])
    ],
    laws: [
      LawCheck(
        name: "cd-drift", value: 1.5e-9, limit: 1e-6, isPassed: true, explanation: "Σ — constant")
    ])

  @Test func roundTrip() throws {
    let json = Self.example.json()
    let text = String(decoding: json, as: UTF8.self)
    #expect(try Manifest(json: json, path: "manifest.json") == Self.example)
    #expect(text.contains("\"start\" : \"2023-11-14T22:13:20.123Z\""))
    #expect(text.contains("\"tokens\" : 18446744073709551615"))
    #expect(text.contains("\"cpu_model\" : \"A/B\""))
    #expect(text.hasSuffix("}\n"))
    #expect(Self.example.json() == json)
  }

  @Test func timesRoundTripToTheMillisecond() throws {
    var generator = SeededRandom(3)
    for _ in 0..<1000 {
      let seconds = Double.random(in: 0...4e9, using: &generator)
      let time = Timestamp(Date(timeIntervalSince1970: seconds))
      let json = try JSONEncoder().encode([time])
      #expect(try JSONDecoder().decode([Timestamp].self, from: json) == [time])
    }
  }

  @Test func damagedManifestsAreNamed() {
    func message(_ text: String) -> String {
      failure { _ = try Manifest(json: Array(text.utf8), path: "m.json") }?.description ?? "none"
    }
    #expect(message("{}").hasPrefix("m.json: no key \"schema_version\" at the top level"))
    #expect(message("{\"schema_version\": 99}").contains("schema version 99, newer than 1"))
    #expect(message("{\"schema_version\": 1}").contains("no key \"program_version\""))
    #expect(message("{").hasPrefix("m.json: "))
  }

  @Test func machineIsReadWithinItsLimits() throws {
    let folder = try ScratchFolder()
    func put(_ path: String, _ text: String) throws {
      let path = folder.path + path
      try FileManager.default.createDirectory(
        atPath: AtomicFile.folder(of: path), withIntermediateDirectories: true)
      try AtomicFile.write(text, to: path)
    }
    try put("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Zen 5 @ 4: x\n")
    try put("/proc/meminfo", "MemTotal:  2000 kB\nMemFree: 5 kB\nMemAvailable:  1000 kB\n")
    try put("/proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-3,8\n")
    try put("/proc/sys/kernel/osrelease", "6.1.0\n")
    try put("/etc/os-release", "NAME=x\nPRETTY_NAME=\"Debian 12\"\n")
    var machine = Machine(root: folder.path)
    #expect(
      machine
        == Machine(
          cpuModel: "Zen 5 @ 4: x", cores: 5, physicalMemory: 2_048_000,
          availableMemory: 1_024_000, operatingSystem: "Debian 12, Linux 6.1.0"))
    // The group above sets the limit; its droppable page cache is not counted.
    try put("/proc/self/cgroup", "0::/a/b\n")
    try put("/sys/fs/cgroup/a/b/memory.max", "max\n")
    try put("/sys/fs/cgroup/a/memory.max", "900000\n")
    try put("/sys/fs/cgroup/a/memory.current", "500000\n")
    try put("/sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file 100000\n")
    machine = Machine(root: folder.path)
    #expect(machine.availableMemory == 500_000)
    try put("/proc/self/cgroup", "4:cpu,memory:/c\n")
    try put("/sys/fs/cgroup/memory/c/memory.limit_in_bytes", "300000\n")
    machine = Machine(root: folder.path)
    #expect(machine.availableMemory == 300_000)
  }

  @Test func thisMachineIsKnown() {
    let machine = Machine.current()
    #expect(machine.cores >= 1)
    #expect(machine.physicalMemory > 1 << 24)
    #expect(machine.availableMemory > 0 && machine.availableMemory <= machine.physicalMemory)
    #expect(!machine.cpuModel.isEmpty && !machine.operatingSystem.isEmpty)
  }
}
