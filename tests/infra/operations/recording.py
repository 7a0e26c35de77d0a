INVOKED = {"some-refunds": {"refundId": "bill-123"}, "some-ledger": {"entered": "bill-123"}}
ENVIRONMENT = {"REFUNDS": "some-refunds", "LEDGER": "some-ledger"}
