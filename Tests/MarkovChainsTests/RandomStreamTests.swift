import MarkovChains
import Testing

@Suite struct RandomStreamTests {
  /// Known answers of the Random123 distribution (kat_vectors, philox4x64 10).
  @Test func philoxGivesTheKnownAnswers() {
    let ones = UInt64.max
    #expect(
      Philox.block(counter: [0, 0, 0, 0], key: (0, 0)) == [
        0x1655_4d9e_ca36_314c, 0xdb20_fe9d_672d_0fdc, 0xd7e7_72ce_e186_176b, 0x7e68_b68a_ec7b_a23b,
      ])
    #expect(
      Philox.block(counter: [ones, ones, ones, ones], key: (ones, ones)) == [
        0x87b0_92c3_013f_e90b, 0x438c_3c67_be8d_0224, 0x9cc7_d7c6_9cd7_77b6, 0xa09c_aebf_594f_0ba0,
      ])
    #expect(
      Philox.block(
        counter: [
          0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0,
          0x082e_fa98_ec4e_6c89,
        ], key: (0x4528_21e6_38d0_1377, 0xbe54_66cf_34e9_0c6c)) == [
          0xa528_f454_03e6_1d95, 0x38c7_2dbd_566e_9788, 0xa5a1_610e_72fd_18b5,
          0x57bd_43b5_e52b_7fe6,
        ])
  }

  /// Outputs of the authors' C program from state (1, 2, 3, 4).
  @Test func xoshiroGivesTheReferenceOutputs() {
    var stream = RandomStream(state: [1, 2, 3, 4])
    let outputs = (0..<10).map { _ in stream.next() }
    #expect(
      outputs == [
        41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386,
        9_228_616_714_210_784_205, 9_973_669_472_204_895_162, 14_011_001_112_246_962_877,
        12_406_186_145_184_390_807, 15_849_039_046_786_891_736, 10_450_023_813_501_588_000,
      ])
  }

  /// Computed with numpy.random.Philox (numpy 2.4.6) and xoshiro256++ written out in Python.
  @Test func aNamedStreamNeverChanges() {
    var stream = RandomStream(seed: 42, purpose: .kernels, index: 5)
    #expect(stream.next() == 5_518_972_550_508_672_836)
    #expect(stream.next() == 17_712_360_438_330_767_692)
    #expect(stream.next() == 5_519_409_974_281_715_158)
    #expect(RandomStream.Purpose.allCases.map(\.rawValue) == [1, 2, 3, 4, 5])
  }

  @Test func theZeroStateIsReplaced() {
    var stream = RandomStream(state: .zero)
    #expect((0..<8).map { _ in stream.next() }.contains { $0 != 0 })
  }

  @Test func seedPurposeAndIndexEachNameAnotherStream() {
    var outputs = Set<UInt64>()
    for seed in 0..<10 as Range<UInt64> {
      for purpose in RandomStream.Purpose.allCases {
        for index in 0..<10 as Range<UInt64> {
          var stream = RandomStream(seed: seed, purpose: purpose, index: index)
          outputs.insert(stream.next())
        }
      }
    }
    #expect(outputs.count == 500)
  }

  @Test func uniformStaysInsideTheOpenInterval() {
    // (s0 + s3) rotated plus s0: states whose first outputs are 0 and 2⁶⁴ − 1.
    var low = RandomStream(state: [0, 5, 7, 0])
    var high = RandomStream(state: [.max, 5, 7, 1])
    #expect(low.uniform() > 0)
    #expect(high.uniform() == 1 - 0x1p-53)
  }
}
