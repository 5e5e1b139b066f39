// protocol.md §8, "DataVersion": items 102 and 103.

import TestSupport
import Testing

@Suite struct DataVersionTests {
    @Test func item102_queryDataVersion() throws {
        let connection = try fresh()
        try connection.register()
        let stored = #"{"counter":1,"stateVersion":0,"timestamp":1700000000000}"#
        let same = try connection.queryDataVersion(stored)
        #expect(same.code == 0)
        #expect(same.fields == ["changed": "false"])
        #expect(same.bodyText == stored)
        let other = try connection.queryDataVersion(RegisteredDataVersion(2).json)
        #expect(other.fields == ["changed": "true"])
        #expect(other.bodyText == stored)
        let unknown = try connection.queryDataVersion(stored, address: "10.0.0.99:10911")
        #expect(unknown.fields == ["changed": "true"])
        #expect(unknown.body.isEmpty)
        let bodiless = try connection.queryDataVersion(nil)
        #expect(bodiless.code == 0)
        #expect(bodiless.fields == ["changed": "true"])
        #expect(bodiless.bodyText == stored)
    }

    @Test func item103_memberGroup() throws {
        let connection = try fresh()
        try connection.register()
        try connection.register(.replica(1, "10.0.0.2:10911"))
        let answer = try connection.call(901, ["clusterName": "C", "brokerName": "broker-a"])
        #expect(answer.code == 0)
        #expect(answer.remark == "not set any response code")
        #expect(
            answer.bodyText
                == #"{"brokerMemberGroup":{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.2:10911"},"#
                + #""brokerName":"broker-a","cluster":"C"}}"#)
        let unknown = try connection.call(901, ["clusterName": "C9", "brokerName": "zz"])
        #expect(unknown.code == 0)
        #expect(unknown.remark == "not set any response code")
        #expect(
            unknown.bodyText == #"{"brokerMemberGroup":{"brokerAddrs":{},"brokerName":"zz","cluster":"C9"}}"#)
    }
}
