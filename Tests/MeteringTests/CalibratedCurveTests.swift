@testable import Metering
import Testing
import TestSupport

@Suite struct CalibratedCurveTests {
    private func points(_ pairs: [(Double, Double)]) -> [CalibrationPoint] {
        pairs.map { CalibrationPoint(utilisation: $0.0, watts: $0.1) }
    }

    @Test func pointsOnAConcaveLineAreMet() throws {
        let given = points([(0.02, 10), (0.25, 40), (0.5, 60), (0.75, 70), (1, 75)])
        let curve = try #require(CalibratedCurve(fitting: given.reversed()))
        for point in given { #expect(abs(curve.watts(at: point.utilisation) - point.watts) < 1e-6) }
        // Half way from (0.25, 40) to (0.5, 60); below and above the ends hold.
        #expect(abs(curve.watts(at: 0.375) - 50) < 1e-6)
        #expect(curve.watts(at: 0) == 10 && curve.watts(at: .nan) == 10)
        #expect(abs(curve.watts(at: 7) - 75) < 1e-6)
    }

    @Test func pointsOnAStraightLineNeedNoKnotBetween() throws {
        let curve = try #require(
            CalibratedCurve(fitting: points([(0, 10), (0.25, 20), (0.5, 30), (0.75, 40), (1, 50)])))
        #expect(curve.line.knots.count == 2)
        #expect(abs(curve.watts(at: 0.6) - 34) < 1e-6)
    }

    @Test func aCurveThatBendsUpwardsBecomesTheStraightLineOfLeastRelativeError() throws {
        // Through (0, 10) with slope s: the least of ((10 + s/2 - 20) / 20)^2 + ((10 + s - 50) / 50)^2 is at
        // s = (10 x 0.5 / 400 + 40 / 2500) / (0.25 / 400 + 1 / 2500) = 0.0285 / 0.001025 = 27.80488
        let curve = try #require(CalibratedCurve(fitting: points([(0, 10), (0.5, 20), (1, 50)])))
        #expect(abs(curve.watts(at: 1) - 37.80488) < 1e-4)
        #expect(abs(curve.watts(at: 0.5) - 23.90244) < 1e-4)
    }

    @Test func powerThatFallsTowardsFullLoadIsHeld() throws {
        // Two points beyond the knee at 60 and 40 W: the level w that minimises ((w-60)/60)^2 + ((w-40)/40)^2 is
        // (1/60 + 1/40) / (1/3600 + 1/1600) = 46.15385.
        let curve = try #require(CalibratedCurve(fitting: points([(0, 10), (0.5, 60), (1, 40)])))
        #expect(abs(curve.watts(at: 0.5) - 46.15385) < 1e-4)
        #expect(abs(curve.watts(at: 1) - 46.15385) < 1e-4)
    }

    @Test func noisyPointsGiveACurveThatIsConcaveAndRises() throws {
        var random = Seeded(7)
        for _ in 0..<200 {
            let count = Int.random(in: 2...20, using: &random)
            let noisy = (0..<count).map { index in
                let utilisation = Double(index) / Double(count - 1)
                return CalibrationPoint(
                    utilisation: utilisation,
                    watts: (5 + 100 * utilisation.squareRoot()) * Double.random(in: 0.6...1.6, using: &random))
            }
            let curve = try #require(CalibratedCurve(fitting: noisy))
            let watts = (0...50).map { curve.watts(at: Double($0) / 50) }
            let rises = zip(watts, watts.dropFirst()).map { $1 - $0 }
            #expect(rises.allSatisfy { $0 >= -1e-9 })
            #expect(zip(rises, rises.dropFirst()).allSatisfy { $1 <= $0 + 1e-6 })
            #expect(watts[0] == noisy[0].watts)
        }
    }

    @Test func noNeighbourOfTheFitIsBetter() throws {
        var random = Seeded(11)
        let given = (0...8).map { index in
            let utilisation = Double(index) / 8
            return CalibrationPoint(
                utilisation: utilisation,
                watts: (10 + 90 * utilisation) * Double.random(in: 0.8...1.25, using: &random))
        }
        let curve = try #require(CalibratedCurve(fitting: given))
        func cost(_ line: (Double) -> Double) -> Double {
            given.reduce(0) { sum, point in
                let error = (line(point.utilisation) - point.watts) / point.watts
                return sum + error * error
            }
        }
        let best = cost { curve.watts(at: $0) }
        // Any concave, rising line through the idle point: the fit and a little more of one piece.
        for end in 1...8 {
            let bent = cost { curve.watts(at: $0) + 0.5 * min($0, Double(end) / 8) }
            #expect(bent > best)
        }
    }

    @Test func whatIsNoPointOrTooFewGivesNoCurve() {
        #expect(CalibratedCurve(fitting: []) == nil)
        #expect(CalibratedCurve(fitting: points([(0.5, 10)])) == nil)
        #expect(CalibratedCurve(fitting: points([(0.5, 10), (0.5, 20)])) == nil)
        for wrong in [(0.5, 0), (0.5, -1), (0.5, .infinity), (0.5, .nan), (.nan, 5), (1.5, 5)] {
            #expect(CalibratedCurve(fitting: points([(0, 1), (1, 2), wrong])) == nil)
        }
    }

    @Test func eachInnerLevelIsPredictedWithoutIt() throws {
        // On the line 10 + 40 u, but for 0.5: 33 W. Without 0.25 and 0.75 the fit has (0, 10), (0.5, 33), (1, 50), which
        // are concave, so it predicts 21.5 and 41.5 W where 20 and 40 were measured; without 0.5 it predicts 30 W for 33.
        let given = points([(0, 10), (0.25, 20), (0.5, 33), (0.75, 40), (1, 50)])
        let error = try #require(CalibratedCurve.heldOutError(given))
        #expect(abs(error.mean - (1.5 / 20 + 1.5 / 40 + 3.0 / 33) / 3) < 1e-6)
        #expect(abs(error.p90 - 3.0 / 33) < 1e-6)
        #expect(CalibratedCurve.heldOutError(Array(given.prefix(3))) == nil)
    }

    @Test func theNinthOfTenErrorsIsTheNinetiethPercentile() throws {
        let pairs = (1...10).map { (predicted: 100 + Double($0), measured: 100.0) }
        let errors = try #require(RelativeErrors(pairs))
        #expect(abs(errors.mean - 0.055) < 1e-9 && abs(errors.p90 - 0.09) < 1e-9)
        #expect(RelativeErrors([]) == nil && RelativeErrors([(predicted: 1, measured: 0)]) == nil)
        #expect(median([3, 1, 2]) == 2 && median([4, 1, 2, 3]) == 2.5 && median([]) == nil)
    }
}
