// The machine a run was made on.

import Foundation
import Glibc

/// The machine of a run, read from /proc, /sys/fs/cgroup and /etc/os-release.
public struct Machine: Codable, Equatable, Sendable {
  /// The processor's name, or the architecture where it gives none.
  public var cpuModel: String
  /// Logical cores that this process may run on.
  public var cores: Int
  /// Installed memory in bytes.
  public var physicalMemory: Int
  /// Memory in bytes that this process could still take, within the limits of its control group.
  public var availableMemory: Int
  /// The operating system and its kernel.
  public var operatingSystem: String

  /// Creates a description.
  public init(
    cpuModel: String, cores: Int, physicalMemory: Int, availableMemory: Int,
    operatingSystem: String
  ) {
    self.cpuModel = cpuModel
    self.cores = cores
    self.physicalMemory = physicalMemory
    self.availableMemory = availableMemory
    self.operatingSystem = operatingSystem
  }

  /// The machine that this process runs on, as it is now.
  public static func current() -> Machine { Machine(root: "") }

  enum CodingKeys: String, CodingKey {
    case cpuModel = "cpu_model"
    case cores
    case physicalMemory = "physical_memory_bytes"
    case availableMemory = "available_memory_bytes"
    case operatingSystem = "operating_system"
  }
}

extension Machine {
  /// Reads the files below `root`; what cannot be read counts as unknown or unlimited.
  package init(root: String) {
    let processors = Self.text(root + "/proc/cpuinfo")
    let memory = Self.text(root + "/proc/meminfo")
    let release = Self.text(root + "/etc/os-release")
    let kernel = Self.text(root + "/proc/sys/kernel/osrelease")
    let installed = Self.kibibytes("MemTotal", in: memory) ?? 0
    let free = Self.kibibytes("MemAvailable", in: memory) ?? installed
    let name = Self.value("PRETTY_NAME", separator: "=", in: release) ?? "Linux"
    self.init(
      cpuModel: Self.value("model name", separator: ":", in: processors) ?? Self.architecture,
      cores: Self.usableCores(root: root),
      physicalMemory: installed,
      availableMemory: min(free, ControlGroup.memoryLeft(root: root) ?? .max),
      operatingSystem: kernel.isEmpty ? name : "\(name), Linux \(kernel)")
  }

  static func text(_ path: String) -> String {
    guard let bytes = try? OpenFile.contents(of: path) else { return "" }
    return String(decoding: bytes, as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The value of the first line `key <separator> value`, without quotation marks.
  private static func value(_ key: String, separator: Character, in text: String) -> String? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: separator, maxSplits: 1)
      guard parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == key else { continue }
      return parts[1].trimmingCharacters(in: CharacterSet(charactersIn: " \t\"'"))
    }
    return nil
  }

  private static func kibibytes(_ key: String, in text: String) -> Int? {
    let words = value(key, separator: ":", in: text)?.split(separator: " ")
    return words?.first.flatMap { Int($0) }.map { $0 * 1024 }
  }

  /// The cores in the process's affinity mask, which control groups of processor sets narrow too.
  private static func usableCores(root: String) -> Int {
    let status = text(root + "/proc/self/status")
    guard let list = value("Cpus_allowed_list", separator: ":", in: status) else {
      return ProcessInfo.processInfo.activeProcessorCount
    }
    // Such as "0-3,8,10-11".
    return list.split(separator: ",").reduce(0) { count, range in
      let bounds = range.split(separator: "-").compactMap { Int($0) }
      guard let first = bounds.first, let last = bounds.last else { return count }
      return count + last - first + 1
    }
  }

  private static var architecture: String {
    #if arch(x86_64)
      "x86_64"
    #elseif arch(arm64)
      "arm64"
    #else
      "unknown"
    #endif
  }
}

/// Limits that containers and batch systems set.
enum ControlGroup {
  /// The bytes that the control groups of this process leave to it; nil if none sets a limit.
  ///
  /// A group's page cache that can be dropped counts as free.
  static func memoryLeft(root: String) -> Int? {
    var left: Int?
    for line in Machine.text(root + "/proc/self/cgroup").split(separator: "\n") {
      // hierarchy:controllers:path, with an empty list of controllers in version 2
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let isVersion2 = parts[1].isEmpty
      guard isVersion2 || parts[1].split(separator: ",").contains("memory") else { continue }
      let mount = root + "/sys/fs/cgroup" + (isVersion2 ? "" : "/memory")
      // A group is bound by the limits of all groups above it.
      var group = String(parts[2])
      while true {
        if let here = memoryLeft(group: mount + group, isVersion2: isVersion2) {
          left = min(left ?? .max, here)
        }
        guard let slash = group.lastIndex(of: "/") else { break }
        group = String(group[..<slash])
      }
    }
    return left
  }

  private static func memoryLeft(group: String, isVersion2: Bool) -> Int? {
    let limitFile = isVersion2 ? "memory.max" : "memory.limit_in_bytes"
    let usageFile = isVersion2 ? "memory.current" : "memory.usage_in_bytes"
    // Version 1 spells "no limit" as a number beyond any memory.
    guard let limit = Int(Machine.text("\(group)/\(limitFile)")), limit < 1 << 60 else {
      return nil
    }
    let usage = Int(Machine.text("\(group)/\(usageFile)")) ?? 0
    let droppable = Machine.text("\(group)/memory.stat").split(separator: "\n")
      .first { $0.hasPrefix("inactive_file ") }
      .flatMap { Int($0.dropFirst("inactive_file ".count)) }
    return max(0, limit - usage + min(usage, droppable ?? 0))
  }
}
