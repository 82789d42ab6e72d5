curl -X GET $BASE/v1/providers/packages/catalog
