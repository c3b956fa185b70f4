import Dispatch
import Foundation
import RunRecords
import Testing

@Suite struct InnerRunTests {
  @Test func runsInsideAreFoundInOrder() throws {
    let folder = try ScratchFolder()
    let top = try RunDirectory.create(at: folder.path + "/top")
    #expect(try top.innerPaths().isEmpty)
    for folders in [
      ["flows/000002", "replicates/001"], ["flows/000001", "replicates/002"],
      ["flows/000001", "replicates/001"],
    ] { _ = try top.createInner(at: folders) }
    #expect(
      try top.innerPaths() == [
        "flows/000001/replicates/001", "flows/000001/replicates/002",
        "flows/000002/replicates/001",
      ])
    let error = failure { _ = try top.createInner(at: ["flows/000002", "replicates/001"]) }
    #expect(error?.reason == .alreadyExists)
  }

  @Test func discardingOneDoesNotDisturbAnother() throws {
    let folder = try ScratchFolder()
    let top = try RunDirectory.create(at: folder.path + "/top")
    DispatchQueue.concurrentPerform(iterations: 8) { worker in
      for round in 0..<25 {
        let folders = ["flows/\(round)", "replicates/\(worker)"]
        #expect(throws: Never.self) {
          let inner = try top.createInner(at: folders)
          if worker > 0 { try inner.discard() }
        }
      }
    }
    #expect(try top.innerPaths().count == 25)
  }

  @Test func eventsAreCollectedInTheOrderGiven() throws {
    let folder = try ScratchFolder()
    let top = try RunDirectory.create(at: folder.path + "/top")
    let event = EventRecord(
      stage: "1", name: "selection.1+2", time: 0.1, timeError: nil, isReached: false)
    for (name, count) in [("1", 2), ("2", 0), ("3", 1)] {
      let inner = try top.createInner(at: ["flows/\(name)"])
      if name != "2" {
        try inner.write(Table(events: Array(repeating: event, count: count)), as: .events)
      }
    }
    try top.collectEvents(
      of: [3, 2, 1].map { ([.integer($0), .integer(1)], "flows/\($0)") })
    #expect(
      try top.text(.events) == """
        flow,replicate,stage,name,t,t_error,status,sampling_error
        3,1,"1",selection.1+2,0.1,,not reached,
        1,1,"1",selection.1+2,0.1,,not reached,
        1,1,"1",selection.1+2,0.1,,not reached,

        """)
    try FileManager.default.removeItem(atPath: top.path(of: .events))
    try AtomicFile.write("a,b\n1,2\n", to: folder.path + "/top/flows/3/events.csv")
    let error = failure { try top.collectEvents(of: [([.integer(3), .integer(1)], "flows/3")]) }
    #expect(error?.path.hasSuffix("flows/3/events.csv") == true)
    #expect(!top.has(.events))
  }
}
