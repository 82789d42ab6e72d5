curl -X GET $BASE/v1/partners/widgets
